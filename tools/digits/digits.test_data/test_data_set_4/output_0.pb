
BprobabilitiesJ(Ö28±/-7ñã{78µU6k‰z?r«:,uÏ7³É;¥;³¢9<