/** Functions from which the generated guards of message bodies are composed. */

/** Returns whether a value has a type, and narrows it to that. */
export type Guard<T> = (value: unknown) => value is T;

/** Returns whether a value meets a condition. */
type Check = (value: unknown) => boolean;

/** Whether a value is an object and not a list. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isString(value: unknown): value is string {
  return typeof value === 'string';
}

export function isBoolean(value: unknown): value is boolean {
  return typeof value === 'boolean';
}

export function isInteger(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

export function isCount(value: unknown): value is number {
  return isInteger(value) && value >= 0;
}

/** Whether a value is a time in ISO 8601. */
export function isTime(value: unknown): value is string {
  return isString(value) && !Number.isNaN(Date.parse(value));
}

/** Return a guard for strings that match a pattern. */
export function isMatch(pattern: RegExp): Guard<string> {
  return (value): value is string => isString(value) && pattern.test(value);
}

/** Return a guard for strings that are in a list. */
export function isOneOf<T extends string>(words: readonly T[]): Guard<T> {
  return (value): value is T => (words as readonly unknown[]).includes(value);
}

export function isNullOr<T>(guard: Guard<T>): Guard<T | null> {
  return (value): value is T | null => value === null || guard(value);
}

/** Return a guard for lists whose entries all pass a guard. */
export function isListOf<T>(guard: Guard<T>): Guard<T[]> {
  return (value): value is T[] => Array.isArray(value) && value.every(guard);
}

/** Return a guard for objects whose members, of any names, all pass a guard. */
export function isMapOf<T>(guard: Guard<T>): Guard<Record<string, T>> {
  return (value): value is Record<string, T> =>
    isRecord(value) && Object.values(value).every(guard);
}

/** Return a guard for objects whose named members pass the given checks. */
export function isObject<T>(
  members: Readonly<Record<string, Check>>
): Guard<T> {
  const checks = Object.entries(members);
  return (value): value is T =>
    isRecord(value) && checks.every(([name, check]) => check(value[name]));
}

/** Return a guard for values that pass a guard and a check. */
export function both<T>(guard: Guard<T>, check: Check): Guard<T> {
  return (value): value is T => guard(value) && check(value);
}

/** Return a check of objects that applies only if one of their members has a given value. */
export function whenever(
  [name, value]: readonly [string, unknown],
  check: Check
): Check {
  return body => isRecord(body) && (body[name] !== value || check(body));
}
