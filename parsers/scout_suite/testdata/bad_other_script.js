exceptions =
[]
