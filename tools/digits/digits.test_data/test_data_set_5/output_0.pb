
BprobabilitiesJ(El3򸑚1八4篩�<糚0闛z?歴3睁0�9./L9