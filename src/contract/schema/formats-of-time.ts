const DATE = /^(\d{4})-(\d\d)-(\d\d)$/;
const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** RFC 3339 §5.6. */
export function isDate(text: string): boolean {
  const [year = 0, month = 0, day = 0] = (DATE.exec(text)?.slice(1) ?? []).map(Number);
  const isLeapYear = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const last = month === 2 && isLeapYear ? 29 : (DAYS[month - 1] ?? 0);
  return day >= 1 && day <= last;
}

const TIME = /^([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60)(?:\.\d+)?(?:z|([+-])([01]\d|2[0-3]):([0-5]\d))$/i;
const ISO_TIME = /^([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60)(?:\.\d+)?(?:z|([+-])([01]\d|2[0-3])(?::?([0-5]\d))?)?$/i;

/** RFC 3339 §5.6. */
export function isTime(text: string): boolean {
  return isTimeOf(TIME, text);
}

/** As {@link isTime}; ISO 8601 lets the zone away, or the minutes of it. */
export function isIsoTime(text: string): boolean {
  return isTimeOf(ISO_TIME, text);
}

function isTimeOf(pattern: RegExp, text: string): boolean {
  const found = pattern.exec(text);
  if (found === null) {
    return false;
  }
  const [, hours = '', minutes = '', seconds = '', sign, zoneHours = '0', zoneMinutes = '0'] = found;
  // A leap second comes at the end of the day of UTC (RFC 3339 §5.7).
  const offset = (Number(zoneHours) * 60 + Number(zoneMinutes)) * (sign === '-' ? -1 : 1);
  const minuteOfDay = (Number(hours) * 60 + Number(minutes) - offset + 2 * 1_440) % 1_440;
  return Number(seconds) < 60 || minuteOfDay === 1_439;
}

const DATE_LENGTH = 10;

/** RFC 3339 §5.6: with `t` in lower case, too, and with leap seconds. */
export function isDateTime(text: string): boolean {
  return isDateAnd(isTime, text);
}

/** As {@link isDateTime} with an {@link isIsoTime}. */
export function isIsoDateTime(text: string): boolean {
  return isDateAnd(isIsoTime, text);
}

function isDateAnd(isOfTime: (text: string) => boolean, text: string): boolean {
  return (
    text.charAt(DATE_LENGTH).toUpperCase() === 'T' &&
    isDate(text.slice(0, DATE_LENGTH)) &&
    isOfTime(text.slice(DATE_LENGTH + 1))
  );
}

const DURATION_OF_WEEKS = /^P\d+W$/;
/** A unit between two others cannot be left out. */
const DURATION =
  /^P(?=\d|T\d)(?:\d+Y(?:\d+M(?:\d+D)?)?|\d+M(?:\d+D)?|\d+D)?(?:T(?:\d+H(?:\d+M(?:\d+S)?)?|\d+M(?:\d+S)?|\d+S))?$/;

/** RFC 3339 appendix A. */
export function isDuration(text: string): boolean {
  return DURATION_OF_WEEKS.test(text) || DURATION.test(text);
}
