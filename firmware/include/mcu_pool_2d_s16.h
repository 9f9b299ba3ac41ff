#ifndef MCU_POOL_2D_S16_H
#define MCU_POOL_2D_S16_H

#include "mcu_pool_2d.h"

/* As mcu_average_pool_2d_s8 and mcu_max_pool_2d_s8, for int16; a window has at most 65535 positions. */
void mcu_average_pool_2d_s16(int16_t *output, const int16_t *input, const struct mcu_pool_2d *parameters);
void mcu_max_pool_2d_s16(int16_t *output, const int16_t *input, const struct mcu_pool_2d *parameters);

#endif
