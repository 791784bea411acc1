/**
 * A power of ten beyond which more of them change nothing: what has 17 digits is below 2^57, so that neither more factors
 * 2 and 5 are in it, nor a larger power of ten.
 */
const ENOUGH = 60;

/** Up to here a number has 15 digits at most, and no float of that size is written in two ways. */
const MAX_EXACT = 10 ** 15;

/** The largest power of ten that is a float without a loss. */
const MAX_DECIMALS = 22;

/**
 * Makes the test whether a number is a whole multiple of another as both are written: 19.99 of 0.01, though no float says
 * so. Callers choose the numbers, so a large exponent must not make large integers.
 */
export function compileMultiple(divisor: number): (value: number) => boolean {
  const other = toDecimal(divisor);
  const decimals = Math.max(0, -other.exponent);
  const scaleUp = 10 ** decimals;
  const step = Math.round(divisor * scaleUp);
  const isPlain = decimals <= MAX_DECIMALS && step <= MAX_EXACT && step / scaleUp === divisor;
  return (value) => {
    if (!Number.isFinite(value)) {
      return false;
    }
    const scaled = Math.round(value * scaleUp);
    if (isPlain && Math.abs(scaled) <= MAX_EXACT) {
      // With more decimals than the divisor it is another number now, and no multiple.
      return scaled / scaleUp === value && scaled % step === 0;
    }
    return isMultipleDecimal(toDecimal(value), other);
  };
}

function isMultipleDecimal(value: Decimal, divisor: Decimal): boolean {
  if (value.digits === 0n) {
    return true;
  }
  const power = Math.min(Math.abs(value.exponent - divisor.exponent), ENOUGH);
  return value.exponent >= divisor.exponent
    ? (value.digits * 10n ** BigInt(power)) % divisor.digits === 0n
    : value.digits % (divisor.digits * 10n ** BigInt(power)) === 0n;
}

interface Decimal {
  readonly digits: bigint;
  /** Of ten. */
  readonly exponent: number;
}

function toDecimal(value: number): Decimal {
  const [mantissa = '', power = '0'] = value.toExponential().split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  return { digits: BigInt(whole + fraction), exponent: Number(power) - fraction.length };
}
