import React from 'react';

/** How long buttons that have just appeared stay disabled, in milliseconds. */
const STEADY = 400;

/**
 * Return false until 400 ms after the component has appeared, then true. Buttons stay disabled meanwhile, so that the
 * second click of a double click does not press a button that the first click made appear.
 */
export function useSteady(): boolean {
  const [isSteady, setSteady] = React.useState(false);
  React.useEffect(() => {
    const timer = window.setTimeout(() => setSteady(true), STEADY);
    return () => window.clearTimeout(timer);
  }, []);
  return isSteady;
}
