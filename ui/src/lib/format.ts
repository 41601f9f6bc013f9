const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;

/** Numbers, sizes and times in the words of one language. */
export function createFormat(locale: string) {
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto", style: "short" });

  function number(value: number, digits?: number): string {
    if (digits !== undefined) {
      return value.toLocaleString(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits });
    }
    return value.toLocaleString(locale, { maximumFractionDigits: 2 });
  }

  /** A measured value: enough digits to compare two of them, scientific where it is tiny. */
  function measure(value: number): string {
    if (value === 0) return "0";
    const size = Math.abs(value);
    if (size < 1e-3) return value.toExponential(2);
    if (size >= 1000) return number(Math.round(value));
    if (size >= 100) return number(value, 1);
    return number(value, size >= 10 ? 2 : size >= 0.1 ? 3 : 4);
  }

  function bytes(value: number): string {
    const units = ["B", "KiB", "MiB", "GiB", "TiB"];
    const power = value < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(value) / 10));
    const scaled = value / 1024 ** power;
    return `${number(scaled, power === 0 || scaled >= 100 ? 0 : 1)} ${units[power]}`;
  }

  /** 5.2M, 7B: how people speak of parameter counts. */
  function compact(value: number): string {
    return value.toLocaleString("en", { notation: "compact", maximumFractionDigits: 1 });
  }

  function percent(share: number, digits = 0): string {
    return share.toLocaleString(locale, {
      style: "percent",
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    });
  }

  function duration(seconds: number): string {
    const whole = Math.max(0, Math.round(seconds));
    const unit = (value: number, name: string) =>
      value.toLocaleString(locale, { style: "unit", unit: name, unitDisplay: "narrow", maximumFractionDigits: 1 });
    if (seconds > 0 && seconds < 10) return unit(seconds, "second");
    if (whole < MINUTE) return unit(whole, "second");
    if (whole < HOUR) return `${unit(Math.floor(whole / MINUTE), "minute")} ${unit(whole % MINUTE, "second")}`;
    return `${unit(Math.floor(whole / HOUR), "hour")} ${unit(Math.floor((whole % HOUR) / MINUTE), "minute")}`;
  }

  function ago(time: string, now = Date.now()): string {
    const seconds = (Date.parse(time) - now) / 1000;
    const size = Math.abs(seconds);
    if (size < MINUTE) return relative.format(Math.round(seconds), "second");
    if (size < HOUR) return relative.format(Math.round(seconds / MINUTE), "minute");
    if (size < DAY) return relative.format(Math.round(seconds / HOUR), "hour");
    if (size < 30 * DAY) return relative.format(Math.round(seconds / DAY), "day");
    return new Date(time).toLocaleDateString(locale, { dateStyle: "medium" });
  }

  function dateTime(time: string): string {
    return new Date(time).toLocaleString(locale, { dateStyle: "medium", timeStyle: "medium" });
  }

  function clock(time: string): string {
    return new Date(time).toLocaleTimeString("en-GB");
  }

  function date(milliseconds: number): string {
    return new Date(milliseconds).toLocaleDateString(locale, { dateStyle: "medium", timeZone: "UTC" });
  }

  /** The name of a language by its code; undefined where there is none. */
  function language(code: string): string | undefined {
    if (!/^[a-z]{2}$/.test(code)) return undefined;
    return new Intl.DisplayNames(locale, { type: "language" }).of(code);
  }

  return { number, measure, bytes, compact, percent, duration, ago, dateTime, clock, date, language };
}

export type Format = ReturnType<typeof createFormat>;
