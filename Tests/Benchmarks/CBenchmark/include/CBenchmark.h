void cb(void);
