
BprobabilitiesJ(ë:ou+7’g9ù[;#D®7¥<keó4%É›5ÊHÃ9Óa|?