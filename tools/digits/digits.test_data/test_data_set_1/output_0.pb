
BprobabilitiesJ(â‡d5†¿?z#!6};?6Ú­[5Œ4g—¶4"ö:8®5s:}ž„6