/* What generated code needs around the kernels that it calls. */
#ifndef MCU_LAYER_H
#define MCU_LAYER_H

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
