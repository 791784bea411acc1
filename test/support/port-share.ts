// Test files run side by side: those of one worker look for free ports among its own (`dev/ports.ts`).
process.env['PORT_SHARE'] = process.env['JEST_WORKER_ID'];
