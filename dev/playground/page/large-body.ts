const MEGABYTE = 1024 * 1024;
const UNIT_MEGABYTES = 4;

/** A body of zeros; parts that repeat take no more memory than one. */
export function makeLargeBody(megabytes: number): Blob {
  if (megabytes <= UNIT_MEGABYTES) {
    return new Blob([new Uint8Array(megabytes * MEGABYTE)]);
  }
  const unit = makeLargeBody(UNIT_MEGABYTES);
  return new Blob(Array.from({ length: Math.ceil(megabytes / UNIT_MEGABYTES) }, () => unit));
}
