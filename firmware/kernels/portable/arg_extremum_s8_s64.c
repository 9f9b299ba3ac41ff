#include "mcu_arg_extremum.h"

#define PLACE int64_t
#define KERNEL mcu_arg_extremum_s8_s64
#include "mcu_arg_extremum_elements.h"
