export { type AddEntry, type NamedRecording, PcapWriter, pcapOf, writePcap } from "./pcap.ts";
