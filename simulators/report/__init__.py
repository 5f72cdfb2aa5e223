"""The story of a rehearsed culture on one page: recorded beside the run, judged, drawn, written as one HTML file."""
