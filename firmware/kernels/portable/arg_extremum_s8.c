#include "mcu_arg_extremum.h"

#define PLACE int32_t
#define KERNEL mcu_arg_extremum_s8
#include "mcu_arg_extremum_elements.h"
