// SPDX-License-Identifier: Apache-2.0
//
// page.html and page.js as text, compiled in.
#pragma once

#include <string_view>

namespace kiln::tools {

extern const std::string_view kPageHtml;
extern const std::string_view kPageScript;

} // namespace kiln::tools
