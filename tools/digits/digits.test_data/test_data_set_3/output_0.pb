
BprobabilitiesJ(4¬“<GJˆ8©c5;P2q?ïF8™’8ISä6œê76O«=¥3;