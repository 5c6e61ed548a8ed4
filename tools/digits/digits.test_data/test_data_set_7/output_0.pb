
BprobabilitiesJ(†´N85Ki3*Q:sx~:C…9<³:ézî4åÕ~?N:zo :