#include "mcu_arithmetic_s16.h"

#define ELEMENT int16_t
#define KERNEL mcu_maximum_s16
#define BEYOND >
#include "mcu_extremum_elements.h"
#undef KERNEL
#undef BEYOND
#define KERNEL mcu_minimum_s16
#define BEYOND <
#include "mcu_extremum_elements.h"
