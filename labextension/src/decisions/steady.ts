import React from 'react';

/** How long the buttons must have been visible before they can be pressed, in milliseconds. */
const STEADY = 400;

/** Whether it was visible long enough: the second click of a double click was meant for what was there before. */
export function useSteady(): boolean {
  const [isSteady, setSteady] = React.useState(false);
  React.useEffect(() => {
    const timer = window.setTimeout(() => setSteady(true), STEADY);
    return () => window.clearTimeout(timer);
  }, []);
  return isSteady;
}
