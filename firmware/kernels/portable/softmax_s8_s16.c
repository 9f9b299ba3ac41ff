#define KERNEL mcu_softmax_s8_s16
#define ELEMENT int16_t
#define MINIMUM INT16_MIN
#define MAXIMUM INT16_MAX
#include "mcu_softmax_elements.h"
