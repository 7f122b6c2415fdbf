import React from 'react';

/** The default refresh interval, for ages in minutes, in milliseconds. */
const PERIOD = 20_000;

/**
 * Return the current time in milliseconds, and render the component again after each period.
 *
 * @param period - The refresh interval in milliseconds, 1000 for a countdown of seconds.
 */
export function useNow(period: number = PERIOD): number {
  const [now, setNow] = React.useState(Date.now);
  React.useEffect(() => {
    const timer = window.setInterval(() => setNow(Date.now()), period);
    return () => window.clearInterval(timer);
  }, [period]);
  return now;
}
