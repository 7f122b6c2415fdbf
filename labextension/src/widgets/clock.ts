import React from 'react';

/** How often what tells an age is drawn again. */
const PERIOD = 20_000;

/** The present in milliseconds, which moves on while the component is in the page. */
export function useNow(): number {
  const [now, setNow] = React.useState(Date.now);
  React.useEffect(() => {
    const timer = window.setInterval(() => setNow(Date.now()), PERIOD);
    return () => window.clearInterval(timer);
  }, []);
  return now;
}
