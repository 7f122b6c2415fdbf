import React from 'react';
import { Notation } from '../words/notation';

/** The context that holds the notation of dates, times and counts; by default that of the browser's language. */
export const NotationContext = React.createContext(new Notation());

/** Return the notation in which this component writes dates, times and counts. */
export function useNotation(): Notation {
  return React.useContext(NotationContext);
}
