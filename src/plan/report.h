/* What a plan says about itself. */
#ifndef TMC_PLAN_REPORT_H
#define TMC_PLAN_REPORT_H

#include "plan/plan.h"

/* Report of step `index` < plan->node_count; struct_size is left to the caller. */
void tmc_plan_report(const tmc_plan *plan, uint32_t index, tmc_node_report *report);

#endif
