// Of several runs of a bench: the middle one, of two middle ones the lower.
export const median = (list) => [...list].sort((a, b) => a - b)[Math.floor((list.length - 1) / 2)];
