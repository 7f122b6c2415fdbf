import React from 'react';

/** How often ages are rendered again. */
const PERIOD = 20_000;

/**
 * The current time in milliseconds, which moves on while the component is in the page.
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
