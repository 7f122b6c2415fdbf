import React from 'react';

/** How long the buttons must have been in view before they can be pressed, in milliseconds. */
const STEADY = 400;

/** Whether it has been in view for a while: the second press of two in one place was meant for what was there before. */
export function useSteady(): boolean {
  const [isSteady, setSteady] = React.useState(false);
  React.useEffect(() => {
    const timer = window.setTimeout(() => setSteady(true), STEADY);
    return () => window.clearTimeout(timer);
  }, []);
  return isSteady;
}
