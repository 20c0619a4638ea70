// Of several runs of a bench: the middle one, of two middle ones the lower.
export const median = (list) => [...list].sort((a, b) => a - b)[Math.floor((list.length - 1) / 2)];
// Of none: 0.
export const mean = (list) => list.reduce((sum, one) => sum + one, 0) / Math.max(list.length, 1);
