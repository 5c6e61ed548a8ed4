
BprobabilitiesJ(UM?Dü77<S:Ë+7nè6å)B:y†V6³<6‰:6o•: