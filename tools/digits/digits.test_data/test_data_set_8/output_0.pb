
BprobabilitiesJ(2[8cá;µ>E9œð9Bq©8~?d7Ù‰i717¬H?0™b9