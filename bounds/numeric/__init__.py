"""Fast evaluation in float64 with a proved error bound; where the bound is not small enough, the caller asks Arb."""
