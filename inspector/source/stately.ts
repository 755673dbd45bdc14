export const startStately = (): boolean => false
