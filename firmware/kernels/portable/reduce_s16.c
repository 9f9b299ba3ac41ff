#define ELEMENT int16_t
#define LARGEST mcu_reduce_max_s16
#define SMALLEST mcu_reduce_min_s16
#include "mcu_reduce_elements.h"
