/* All kernels, and what generated code needs around them.
 *
 * Activations are NHWC, row-major, without padding between rows. Pointers to int8_t need no alignment; pointers to
 * wider types are aligned to their size. The caller owns all memory; a kernel keeps nothing between calls. Input and
 * output must not overlap unless a kernel says that they may be the same.
 */
#ifndef MCU_KERNELS_H
#define MCU_KERNELS_H

#include "mcu_add_fitted.h"
#include "mcu_arg_extremum.h"
#include "mcu_arithmetic.h"
#include "mcu_conv_2d.h"
#include "mcu_conv_2d_dsp.h"
#include "mcu_conv_2d_pairs.h"
#include "mcu_depthwise_conv_2d_pairs.h"
#include "mcu_copy.h"
#include "mcu_copy_strided.h"
#include "mcu_depthwise_conv_2d_dsp.h"
#include "mcu_dequantize.h"
#include "mcu_elementwise.h"
#include "mcu_fully_connected.h"
#include "mcu_fully_connected_dsp.h"
#include "mcu_gather.h"
#include "mcu_lookup.h"
#include "mcu_lstm.h"
#include "mcu_mean.h"
#include "mcu_pool_2d.h"
#include "mcu_quantize.h"
#include "mcu_reduce.h"
#include "mcu_requantize_wide.h"
#include "mcu_resize_bilinear.h"
#include "mcu_resize_nearest.h"
#include "mcu_softmax.h"
#include "mcu_svdf.h"
#include "mcu_transpose_conv.h"

/* A layer keeps a function and an address of its own, or it could not be told apart in a profile: equal bodies must
 * not be merged, and a layer must not be inlined into mcu_infer. Clang has no noipa and merges nothing by itself. */
#if defined(__GNUC__) && !defined(__clang__)
#define MCU_LAYER __attribute__((noipa))
#else
#define MCU_LAYER __attribute__((noinline))
#endif

/* The last statement of a layer: keeps the kernel call before it from becoming a jump, which would take the layer off
 * the call path. Emits no instruction. */
#define MCU_LAYER_END() __asm__ volatile("")

#endif
