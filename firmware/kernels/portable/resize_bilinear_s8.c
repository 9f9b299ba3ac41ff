#define ELEMENT int8_t
#define RESIZE mcu_resize_bilinear_s8
#define SUM int32_t
#define WEIGHTED(a, b, c, d, weights) ((a) * (weights)[0] + (b) * (weights)[1] + (c) * (weights)[2] + (d) * (weights)[3])
#include "mcu_resize_bilinear_elements.h"
