
BprobabilitiesJ(­…u<ºàH9¶Žã4ˆÚt5¬å»<ìe:åüu?«
5$?æ8’-7