#define KERNEL mcu_softmax_s8
#define ELEMENT int8_t
#define MINIMUM INT8_MIN
#define MAXIMUM INT8_MAX
#include "mcu_softmax_elements.h"
