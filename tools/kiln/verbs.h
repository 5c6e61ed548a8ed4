// SPDX-License-Identifier: Apache-2.0
//
// The verbs of `kiln`, one file each. Each function adds one subcommand.
#pragma once

#include "tools/kiln/context.h"

namespace kiln::tools {

void addDevices(CLI::App &app, Context &context);
void addCompile(CLI::App &app, Context &context);
void addRun(CLI::App &app, Context &context);
void addVerify(CLI::App &app, Context &context);
void addConformance(CLI::App &app, Context &context);
void addSim(CLI::App &app, Context &context);
void addAsm(CLI::App &app, Context &context);
void addDis(CLI::App &app, Context &context);
void addBench(CLI::App &app, Context &context);
void addNewOp(CLI::App &app, Context &context);
void addTestOp(CLI::App &app, Context &context);
void addProfile(CLI::App &app, Context &context);
void addTop(CLI::App &app, Context &context);
void addTune(CLI::App &app, Context &context);

/// The text of `kiln --version`.
std::string versionText();

} // namespace kiln::tools
