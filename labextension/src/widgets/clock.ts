import React from 'react';

/** How often the component is rendered by default, in milliseconds: often enough for ages in minutes. */
const PERIOD = 20_000;

/**
 * Return the current time in milliseconds since 1970, and render the component again after each period.
 *
 * @param period - The time between two renderings in milliseconds; 1000 for a countdown of seconds.
 */
export function useNow(period: number = PERIOD): number {
  const [now, setNow] = React.useState(Date.now);
  React.useEffect(() => {
    const timer = window.setInterval(() => setNow(Date.now()), period);
    return () => window.clearInterval(timer);
  }, [period]);
  return now;
}
