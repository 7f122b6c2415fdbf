import React from 'react';

/** How often what tells an age is drawn again. */
const PERIOD = 20_000;

/**
 * The present in milliseconds, which moves on while the component is in the page.
 *
 * @param period - How often, in milliseconds: what counts seconds down moves with each.
 */
export function useNow(period: number = PERIOD): number {
  const [now, setNow] = React.useState(Date.now);
  React.useEffect(() => {
    const timer = window.setInterval(() => setNow(Date.now()), period);
    return () => window.clearInterval(timer);
  }, [period]);
  return now;
}
