#define KERNEL mcu_mean_s8
#define ELEMENT int8_t
#define MINIMUM INT8_MIN
#define MAXIMUM INT8_MAX
#include "mcu_mean_elements.h"
