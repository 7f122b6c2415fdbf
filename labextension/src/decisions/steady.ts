import React from 'react';

/** How long buttons that have just appeared stay disabled, in milliseconds. */
const STEADY = 400;

/**
 * Return false for 400 ms after the component has appeared: a double click must not press a button that it made
 * appear.
 */
export function useSteady(): boolean {
  const [isSteady, setSteady] = React.useState(false);
  React.useEffect(() => {
    const timer = window.setTimeout(() => setSteady(true), STEADY);
    return () => window.clearTimeout(timer);
  }, []);
  return isSteady;
}
