// SPDX-License-Identifier: Apache-2.0
#include "hal/drivers/all/all.h"

#include "hal/drivers/cpu/cpu_driver.h"
#include "hal/drivers/npu/npu_driver.h"
#include "hal/drivers/null/null_driver.h"

namespace kiln::hal {

Status registerAllDrivers(Instance &instance, LaunchTracer *tracer) {
  KILN_RETURN_IF_ERROR(instance.registerDriver(makeNullDriver()));
  KILN_RETURN_IF_ERROR(instance.registerDriver(makeCpuDriver()));
  return instance.registerDriver(makeNpuDriver(tracer));
}

} // namespace kiln::hal
