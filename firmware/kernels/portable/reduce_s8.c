#define ELEMENT int8_t
#define LARGEST mcu_reduce_max_s8
#define SMALLEST mcu_reduce_min_s8
#include "mcu_reduce_elements.h"
