// What a role or a signal is called, and how many decimals its channel has (UI-14).
const KNOWN = {
  temperature: ["Temperature", 2], co2: ["CO₂", 2], o2: ["O₂", 1], humidity: ["Humidity", 1], ph: ["pH", 2],
  dissolved_oxygen: ["Dissolved oxygen", 1], weight: ["Weight", 2], waste_weight: ["Waste weight", 2],
  dispensed_volume: ["Dispensed", 2], withdrawn_volume: ["Withdrawn", 2], speed: ["Stirrer", 0], stirring: ["Stirrer", 0],
  perfusion: ["Perfusion", 3],
};

const key = (name) => String(name).split(".").pop().replace(/ /g, "_");

export function label(name) {
  const words = key(name).replace(/_/g, " ");
  return KNOWN[key(name)]?.[0] ?? words.charAt(0).toUpperCase() + words.slice(1);
}

export const decimals = (name) => KNOWN[key(name).replace(/_setpoint$/, "")]?.[1] ?? 2;

// Measured roles of a unit in the order a person looks for them; set points belong to their measured role.
const ORDER = ["temperature", "co2", "ph", "dissolved oxygen", "o2", "humidity", "stirring", "perfusion", "waste weight"];
export function measured(roles) {
  const place = (name) => (ORDER.indexOf(name) + 1) || 99;
  return Object.keys(roles).filter((name) => !name.endsWith(" set")).sort((a, b) => place(a) - place(b));
}
