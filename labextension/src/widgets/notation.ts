import React from 'react';
import { Notation } from '../words/notation';

/** The context with the notation of dates and counts; that of the browser's language by default. */
export const NotationContext = React.createContext(new Notation());

/** Return the notation of dates and counts for this component. */
export function useNotation(): Notation {
  return React.useContext(NotationContext);
}
