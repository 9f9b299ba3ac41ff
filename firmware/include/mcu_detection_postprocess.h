#ifndef MCU_DETECTION_POSTPROCESS_H
#define MCU_DETECTION_POSTPROCESS_H

#include <stdint.h>

/* Box encodings are int8 [boxes][box_step], of each the first four: y, x, h, w. Entry q + 128 of `y` and `x` is what encoding q stands
 * for, over the scale of that coordinate; of `half_h` and `half_w` half the exponential of that. `anchors` [boxes][4]: y, x, h >= 0, w >= 0.
 * Predictions are int8 [boxes][columns], classes the last `classes` columns (one more is the background); entry q + 128 of `scores` is
 * the score of q, larger for larger q. Scores of `least` and more count. Boxes, columns and detections are below 65536. */
struct mcu_detection_postprocess {
    const float *anchors;
    const double *y;
    const double *x;
    const double *half_h;
    const double *half_w;
    const float *scores;
    uint32_t boxes;
    uint32_t box_step;
    uint32_t columns;
    uint32_t classes;
    uint32_t detections; /* at most, in all */
    uint32_t of_a_class; /* at most, where each class is suppressed by itself; 0: all classes are suppressed together */
    int32_t least;
    float overlap;
};

/* TFLite_Detection_PostProcess: decoded boxes, less those that overlap a better one by more than `overlap` (intersection over union),
 * the best first. `boxes` [detections][4] (ymin, xmin, ymax, xmax), `classes` and `scores` [detections], zeros behind the
 * `count` [1] that were found. Floats are rounded where LiteRT's kernel does.
 *
 * `scratch`, aligned to 4, has mcu_harness/model/codegen/operators/detection_postprocess.py's scratch_bytes. */
void mcu_detection_postprocess_s8(float *boxes, float *classes, float *scores, float *count, const int8_t *encodings,
                                  const int8_t *predictions, const struct mcu_detection_postprocess *parameters,
                                  void *scratch);

#endif
