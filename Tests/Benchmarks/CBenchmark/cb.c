#include "CBenchmark.h"
void cb(void){}
