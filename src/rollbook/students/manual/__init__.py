"""What people do by hand: edit and transfer students, and manage groups and schools."""
