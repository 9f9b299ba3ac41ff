#define KERNEL mcu_mean_s16
#define ELEMENT int16_t
#define MINIMUM INT16_MIN
#define MAXIMUM INT16_MAX
#include "mcu_mean_elements.h"
