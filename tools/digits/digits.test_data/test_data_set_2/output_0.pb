
BprobabilitiesJ($ö²5dÜz4Òø?å?8G8ÿ/±W¹4œQ.r1å2»ˆ6İÎy8