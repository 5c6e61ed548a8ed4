// SPDX-License-Identifier: Apache-2.0
//
// Everything a one-file operator includes. See tik_dsl/README.md and
// tik_dsl/examples.
#pragma once

#include "tik_dsl/api/operator.h"
