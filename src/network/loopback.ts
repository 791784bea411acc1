const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** True for a host name or address that never leaves this machine, as `URL.hostname` writes it. */
export function isLoopback(hostname: string): boolean {
  return LOOPBACK.test(hostname);
}
