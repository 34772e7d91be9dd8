"""What tests on virtual machines share."""
